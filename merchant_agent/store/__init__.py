"""What both programs need of a database: opening, the write lock, migrations, backup, errors."""
