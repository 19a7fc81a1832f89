import MetaLearnersCore

/// Every file that a command reads and writes: none may be written over another.
///
/// Commands list their files and call `check` before any work, so that a slip of the command line costs nothing.
package struct CommandFiles {
    private struct Entry {
        /// What the file is to the command: "the data file", or for outputs how the user named it.
        let role: String
        let path: String
        let identity: FileIdentity?
    }

    private var inputs: [Entry] = []
    private var outputs: [Entry] = []

    /// Lists no file but the program itself.
    package init() { reads("this program", Self.program) }

    private static let program = "/proc/self/exe"

    /// A file that is read, or standard input for `-`; nil for none.
    package mutating func reads(_ role: String, _ path: String?) {
        guard let path else { return }
        let isStream = path == "-"
        inputs.append(
            Entry(
                role: role, path: isStream ? "standard input" : path,
                identity: isStream ? FileIdentity(descriptor: 0) : FileIdentity(path: path)))
    }

    /// The libraries of the base learners that are not built in.
    package mutating func reads(_ registry: EstimatorRegistry) {
        for backend in registry.descriptions where backend.location.contains("/") {
            reads("the library of the base learner '\(backend.name)'", backend.location)
        }
    }

    /// A file that is written, or standard output for `-`; nil for none.
    ///
    /// - Parameter option: how the command line names it: `-o`.
    package mutating func writes(_ option: String, _ path: String?) {
        guard let path else { return }
        if path == "-" {
            writesStandardOutput()
        } else {
            outputs.append(
                Entry(role: "\(option) \(path)", path: path, identity: FileIdentity(path: path)))
        }
    }

    /// Standard output is written to; where the shell sends it into a file, that file counts.
    package mutating func writesStandardOutput() {
        outputs.append(
            Entry(role: "standard output", path: "", identity: FileIdentity(descriptor: 1)))
    }

    /// Checks that no output is an input or another output.
    ///
    /// - Throws: `invalidArgument`, naming both.
    package func check() throws(MetaLearnersError) {
        for (index, output) in outputs.enumerated() {
            guard let identity = output.identity else { continue }
            if let input = inputs.first(where: { $0.identity == identity }) {
                throw MetaLearnersError(
                    .invalidArgument, at: output.role,
                    "is \(named(input, besides: output)), which would be overwritten",
                    remedy: "choose another file to write to")
            }
            if let other = outputs[..<index].first(where: { $0.identity == identity }) {
                throw MetaLearnersError(
                    .invalidArgument, at: output.role,
                    "is the same file as \(other.role): only one of the two would be left",
                    remedy: "choose another file for one of them")
            }
        }
    }

    /// An input as an error message names it: with its path where that differs from the output's.
    private func named(_ input: Entry, besides output: Entry) -> String {
        if input.path == output.path || input.path == Self.program { return input.role }
        return "\(input.role) ('\(input.path)')"
    }
}
