"""The collector's lines reach the repository: what hosts tell in no audit message, such as refused packets.

``tail`` follows the files of the collector, ``worth`` says which lines become events, ``serve`` hands them to the core
and remembers how far it has got.
"""
