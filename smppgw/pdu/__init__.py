"""SMPP PDUs: declared once, framed, decoded, encoded, and what their texts and times say. No I/O, no clock."""
