"""The access gateway behind the viewer: of the archives' DICOMweb, each person gets what the person may see.

It stands on loopback behind a web server that has signed the person in, and reaches the archives through their DICOMweb
edges with the host's certificate. What a request asks for is read strictly (``asked``), who asks is told by the web
server (``subject``), whom the person treats by RIS and EHR (``relations``), and what follows from it is decided in one
place (``access``). Answers come from all archives that have a part of them (``archives``).
"""
