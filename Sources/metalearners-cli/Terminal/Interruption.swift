import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What an interrupt from the keyboard does: it cancels the work, and a second one ends the process.
enum Interruption {
    /// Cancelled by SIGINT and SIGTERM.
    static let token = CancellationToken()

    /// Installs the handlers; a closed pipe becomes an error of the write instead of a signal.
    static func install() {
        _ = token  // Made here, so that the handler only sets a flag.
        var numbers = sigset_t()
        sigemptyset(&numbers)
        for number in [SIGINT, SIGTERM] {
            sigaddset(&numbers, number)
            var action = sigaction()
            // Calls that wait, such as reading a pipe, must end: they are not restarted.
            action.sa_flags = Int32(truncatingIfNeeded: SA_RESETHAND)
            setHandler(&action)
            sigaction(number, &action, nil)
        }
        // Programs that start others from a worker thread hand down its mask, which may block them.
        pthread_sigmask(SIG_UNBLOCK, &numbers, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    private static func setHandler(_ action: inout sigaction) {
        #if canImport(Glibc)
            action.__sigaction_handler.sa_handler = cancelWork
        #else
            action.__sigaction_u.__sa_handler = cancelWork
        #endif
    }
}

private func cancelWork(_: Int32) { Interruption.token.cancel() }
