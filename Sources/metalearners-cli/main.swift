print("metalearners")
