"""A modality: it asks for its worklist, performs steps, makes images and keeps them until the archive has committed."""
