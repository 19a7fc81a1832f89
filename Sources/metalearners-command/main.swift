import metalearners_cli

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

exit(CommandLineEntry.run(Array(CommandLine.arguments.dropFirst())))
