/// Brings reports of progress and notices to the user's functions: one call at a time, in the order in which they were
/// added, and while no lock of the library is held.
///
/// Whoever adds a report also delivers it, and what others add meanwhile, unless a thread is at that already: so a slow
/// function keeps one thread at most from its work. Where it falls far behind, it skips counts of a stage, though neither
/// the first nor the last one.
final class ProgressReports: Sendable {
    private enum Message: Sendable {
        case progress(Progress)
        case notice(String)
    }

    private struct State: Sendable {
        var waiting: [Message] = []
        var isDelivering = false
    }

    /// More reports than this do not wait.
    private static let waitingLimit = 16

    private let progress: (@Sendable (Progress) -> Bool)?
    private let notice: (@Sendable (String) -> Void)?
    private let token: CancellationToken
    private let state = Lock(State())

    /// Creates an empty list; a progress function that says no cancels `token`.
    init(
        progress: (@Sendable (Progress) -> Bool)?, notice: (@Sendable (String) -> Void)?,
        cancelling token: CancellationToken
    ) {
        self.progress = progress
        self.notice = notice
        self.token = token
    }

    /// Notes how far a stage is, to be told by the next `deliver`. Calls nothing: a lock may be held.
    func add(_ stage: String, done: Int, total: Int) {
        guard progress != nil else { return }
        state.withLock { state in
            if state.waiting.count >= Self.waitingLimit {
                state.waiting.removeAll {
                    guard case .progress(let older) = $0 else { return false }
                    return older.stage == stage && older.done > 0
                }
            }
            state.waiting.append(.progress(Progress(stage: stage, done: done, total: total)))
        }
    }

    /// Notes what the user should know, to be told by the next `deliver`.
    func add(notice text: String) {
        guard notice != nil else { return }
        state.withLock { $0.waiting.append(.notice(text)) }
    }

    /// Tells what waits, unless another thread is at that. No lock may be held.
    func deliver() {
        guard progress != nil || notice != nil else { return }
        let begins = state.withLock { state in
            guard !state.isDelivering, !state.waiting.isEmpty else { return false }
            state.isDelivering = true
            return true
        }
        guard begins else { return }
        while let message = next() {
            switch message {
            case .notice(let text): notice?(text)
            case .progress(let report):
                guard let progress, !token.isCancelled else { continue }
                if !progress(report) { token.cancel() }
            }
        }
    }

    /// The first message that waits; where there is none, the delivery is over.
    private func next() -> Message? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isDelivering = false
                return nil
            }
            return state.waiting.removeFirst()
        }
    }
}
