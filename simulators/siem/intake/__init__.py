"""What reads messages that others have written: frames, headers, XML. It holds no key and reaches no database."""
