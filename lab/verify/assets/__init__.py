"""What is in a lab's network, and on its hosts, against the register of assets."""
