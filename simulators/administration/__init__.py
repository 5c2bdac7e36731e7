"""Where administrators come from: they sign in here before they are given a certificate for SSH."""
