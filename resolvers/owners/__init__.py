"""What owners bring: jobs, their variables, and the functions that say which result is good and what goes out next."""
