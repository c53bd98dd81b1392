"""The pair as a library: an ESME and an SMSC on asyncio, and the loopback SMSC made of them.

Import from `smppgw`: `from smppgw import Esme, Smsc`.
"""
