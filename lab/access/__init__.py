"""What people may do: roles, actions and the patients that these reach, as ``policy.yml`` says."""
