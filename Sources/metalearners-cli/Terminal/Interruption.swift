import MetaLearnersCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What an interrupt from the keyboard does: it cancels the work, and a second one ends the process.
enum Interruption {
    /// Cancelled by SIGINT, SIGTERM and SIGHUP.
    static let token = CancellationToken()

    /// The signal that came; 0 where none has.
    fileprivate static let received = Atomic<Int32>(0)

    /// Installs the handlers; a closed pipe becomes an error of the write instead of a signal.
    static func install() {
        // Made here, so that the handler only sets flags.
        _ = token
        received.store(0, ordering: .relaxed)
        var numbers = sigset_t()
        sigemptyset(&numbers)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            // Whoever starts a program by nohup wants it to outlive the terminal.
            if number == SIGHUP, isIgnored(number) { continue }
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

    /// Ends the process by the signal that it was sent, if it was sent one, once everything is cleaned up.
    ///
    /// A shell that runs the program in a loop, or in a list of commands, stops only where it sees that the program died
    /// of the signal: an exit status, whatever its number, says that the program dealt with it.
    static func endIfAsked() {
        let number = received.load(ordering: .relaxed)
        guard number != 0 else { return }
        fflush(nil)
        signal(number, SIG_DFL)
        raise(number)
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        #if canImport(Glibc)
            let handler = action.__sigaction_handler.sa_handler
        #else
            let handler = action.__sigaction_u.__sa_handler
        #endif
        return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    private static func setHandler(_ action: inout sigaction) {
        #if canImport(Glibc)
            action.__sigaction_handler.sa_handler = cancelWork
        #else
            action.__sigaction_u.__sa_handler = cancelWork
        #endif
    }
}

private func cancelWork(_ number: Int32) {
    Interruption.received.store(number, ordering: .relaxed)
    Interruption.token.cancel()
}
