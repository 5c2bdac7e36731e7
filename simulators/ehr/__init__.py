"""The electronic health record: registers patients, places orders, receives results."""
