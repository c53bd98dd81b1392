# docker build -t smppgw .
# docker run -p 2775:2775 -p 127.0.0.1:9464:9464 -v ./smppgw.toml:/etc/smppgw/smppgw.toml:ro -v smppgw:/var/lib/smppgw smppgw
#
# In a container listen on every address ([listen] host and [admin] host = "0.0.0.0") and keep the messages in the
# volume ([gateway] data_dir = "/var/lib/smppgw").

FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY smppgw smppgw
RUN python -m venv /opt/smppgw && /opt/smppgw/bin/pip install --no-cache-dir --disable-pip-version-check .

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/smppgw --create-home smppgw
COPY --from=build /opt/smppgw /opt/smppgw
ENV PATH=/opt/smppgw/bin:$PATH PYTHONUNBUFFERED=1
USER smppgw
WORKDIR /var/lib/smppgw
VOLUME /var/lib/smppgw
EXPOSE 2775 9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9464/livez', timeout=3)"]
ENTRYPOINT ["smppgw"]
CMD ["serve", "--config", "/etc/smppgw/smppgw.toml"]
