"""Ansible, driven with ansible-runner: images are baked and hosts configured through it."""
