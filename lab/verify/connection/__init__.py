"""One kept connection to each machine that is judged: a small agent there runs commands and answers in batches."""
