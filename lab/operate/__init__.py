"""What verbs do by combining engine, images, Ansible and trust: bring a lab up, repair, keep and remove it."""
