import MetaLearnersCore

/// A bar on standard error that shows how far a stage of the work is.
package final class ProgressBar: Sendable {
    private let shown = Lock<(text: String, isVisible: Bool)>(("", false))
    private let isEnabled: Bool

    /// Creates a bar, which stays silent unless `isEnabled`.
    init(isEnabled: Bool) { self.isEnabled = isEnabled }

    /// Shows that `done` of `total` parts of `stage` are done.
    ///
    /// - Parameter note: what stands behind it, such as the time that is left.
    func show(_ stage: String, done: Int, total: Int, note: String = "") {
        guard isEnabled else { return }
        let text = Self.line(stage, done: done, total: total) + (note.isEmpty ? "" : ", " + note)
        shown.withLock { state in
            guard text != state.text else { return }
            state = (text, true)
            StandardStreams.error("\r\u{1B}[K" + text)
        }
    }

    /// Takes the bar away, so that other text can follow.
    func clear() {
        shown.withLock { state in
            if state.isVisible { StandardStreams.error("\r\u{1B}[K") }
            state = ("", false)
        }
    }

    /// The bar as text: `fit outcome [########------------]  40 %`.
    package static func line(_ stage: String, done: Int, total: Int) -> String {
        let share = total > 0 ? min(max(Double(done) / Double(total), 0), 1) : 1
        let filled = Int(share * 20)
        let percent = String(Int(share * 100))
        return "\(stage) [" + String(repeating: "#", count: filled)
            + String(repeating: "-", count: 20 - filled)
            + "] " + String(repeating: " ", count: 3 - percent.count) + percent + " %"
    }
}
