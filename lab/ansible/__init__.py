"""Ansible, driven with ansible-runner: images are baked and hosts configured through it."""

from __future__ import annotations

from lab.ansible.configure import configure

__all__ = ["configure"]
