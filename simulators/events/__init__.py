"""What happens on a host, told in one form: one JSON object a line, with fixed keys and words from one table.

``keys`` says what each key means, ``actions`` and ``reasons`` which words there are, ``line`` how a line is made,
``report`` how a program writes one, ``outlets`` where it goes.
"""
