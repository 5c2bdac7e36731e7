"""The console of the repository: pages on which people read events and alerts, each as far as the person may.

``clearance`` says what a person may see, ``masking`` what of a record that is; ``store`` and the modules of ``queries``
are the only ones that see the database, and what they return is masked already. ``application`` answers requests.
"""
