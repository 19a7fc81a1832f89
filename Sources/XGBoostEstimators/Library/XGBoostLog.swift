import MetaLearnersCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Collects what XGBoost logs on a thread, so that nothing of it reaches the console.
///
/// XGBoost keeps one callback a thread and gives it no context, hence the list by thread.
enum XGBoostLog {
    private static let messages = Lock<[UInt: [String]]>([:]) { [:] }

    private static var thread: UInt {
        #if canImport(Darwin)
            UInt(bitPattern: pthread_self())
        #else
            UInt(pthread_self())
        #endif
    }

    /// Runs `body` and returns with its result what XGBoost logged meanwhile on this thread, each message once.
    static func capturing<Value>(
        _ library: XGBoostLibrary, _ body: () throws(MetaLearnersError) -> Value
    ) throws(MetaLearnersError) -> (value: Value, messages: [String]) {
        try library.check(library.functions.registerLog(receive), "take a log callback")
        let thread = thread
        let outer = messages.withLock { $0.updateValue([], forKey: thread) }
        defer { messages.withLock { $0[thread] = outer } }
        let value = try body()
        return (value, messages.withLock { $0[thread] ?? [] })
    }

    /// Called by XGBoost with a message.
    private static let receive: XGBoostFunctions.LogCallback = { text in
        guard let text else { return }
        let thread = XGBoostLog.thread
        let isCaptured = messages.withLock { messages in
            guard var known = messages[thread] else { return false }
            let message = XGBoostMessage.plain(String(cString: text))
            if !known.contains(message), known.count < 20 { known.append(message) }
            messages[thread] = known
            return true
        }
        // Whoever else uses the library in this process still sees what it says, where XGBoost itself writes it.
        guard !isCaptured else { return }
        _ = write(STDERR_FILENO, text, strlen(text))
        _ = write(STDERR_FILENO, "\n", 1)
    }
}

/// What XGBoost says, made fit for an error or a warning of ours.
enum XGBoostMessage {
    /// The message without time, level, source line and stack trace, on one line.
    static func plain(_ message: String) -> String {
        var lines: [Substring] = []
        for line in message.split(separator: "\n") {
            if line.hasPrefix("Stack trace") { break }
            lines.append(line)
        }
        var text = lines.joined(separator: " ")[...]
        // "[12:34:56] WARNING: /src/learner.cc:738: the message"; the time alone differs from run to run.
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            text = text[text.index(after: end)...]
            text = text.drop { $0 == " " }
            if text.hasPrefix("WARNING: ") { text = text.dropFirst(9) }
            if let place = text.split(separator: " ", maxSplits: 1).first, place.hasSuffix(":"),
                place.contains(".cc:") || place.contains(".h:") || place.contains(".cu:")
            {
                text = text.dropFirst(place.count).drop { $0 == " " }
            }
        }
        while text.last == " " { text = text.dropLast() }
        return String(text)
    }

    /// The names in "Parameters: { "a", "b" } are not used.", nil for another message.
    static func unusedParameters(_ message: String) -> [String]? {
        guard message.hasPrefix("Parameters:"), message.contains("not used") else { return nil }
        let parts = message.split(separator: "\"", omittingEmptySubsequences: false)
        return parts.indices.filter { $0 % 2 == 1 }.map { String(parts[$0]) }
    }
}
