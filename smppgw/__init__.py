"""smppgw: an SMPP gateway, and an asyncio ESME and SMSC as a library."""
