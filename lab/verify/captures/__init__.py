"""Captures of conversations, made octet by octet: what a witness must recognise, and what it must not."""
