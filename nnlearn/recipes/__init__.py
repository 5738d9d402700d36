"""Recipes: the steps by which hyper-parameters are chosen, each a function with a result to read.

They train copies: the network that is given comes back as it was.
"""
