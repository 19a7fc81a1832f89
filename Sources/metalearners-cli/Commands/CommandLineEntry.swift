import ArgumentParser
import MetaLearnersCore

/// The command line from its arguments to its exit status.
package enum CommandLineEntry {
    /// Runs a command; results go to standard output, messages to standard error.
    ///
    /// - Parameter arguments: without the name of the program.
    /// - Returns: 0 done, 2 wrong usage or spec, 3 bad data, 4 anything else. A run that was interrupted does not return: it
    ///   ends the process by the signal, once its files are cleaned up.
    package static func run(_ arguments: [String]) -> Int32 {
        Interruption.install()
        let status = status(of: arguments)
        Interruption.endIfAsked()
        return status
    }

    private static func status(of arguments: [String]) -> Int32 {
        do {
            var command = try MetaLearnersCommand.parseAsRoot(arguments)
            try command.run()
            return ExitStatus.done.rawValue
        } catch let error as MetaLearnersError {
            if error != OutputFile.closedPipe { StandardStreams.message(error.description) }
            return ExitStatus(error).rawValue
        } catch {
            return finish(with: error, arguments)
        }
    }

    /// Reports what the argument parser has to say: help on standard output, wrong usage on standard error.
    private static func finish(with error: any Error, _ arguments: [String]) -> Int32 {
        if MetaLearnersCommand.exitCode(for: error) == .success {
            let text = MetaLearnersCommand.fullMessage(for: error)
            return StandardStreams.output(text + "\n")
                ? ExitStatus.done.rawValue : ExitStatus.failure.rawValue
        }
        var command = ""
        for known in MetaLearnersCommand.configuration.subcommands {
            if let name = known.configuration.commandName, name == arguments.first { command = " " + name }
        }
        var message = StandardStreams.oneLine(MetaLearnersCommand.message(for: error))
        if message.hasSuffix(".") { message.removeLast() }
        StandardStreams.message("\(message); see 'metalearners\(command) --help'")
        return ExitStatus.usage.rawValue
    }
}
