import MetaLearners
import MetaLearnersCore

/// The files that a command was given: a spec or a model, and data. Where one alone is given it is the data.
struct InputFiles {
    /// The spec, or for some commands the model; nil where the command line alone says what to do.
    let spec: String?
    /// The data.
    let data: String

    /// Tells the files of `command` apart.
    ///
    /// - Parameter takesModel: whether a model may stand in the place of the spec.
    /// - Throws: `invalidArgument` where they are swapped, or the data are missing.
    init(_ first: String, _ second: String?, of command: String, takesModel: Bool)
        throws(MetaLearnersError)
    {
        let what = takesModel ? "a spec or a model" : "a spec"
        guard let second else {
            guard !Self.isSpecName(first), !(takesModel && Self.isModel(first)) else {
                throw MetaLearnersError(
                    .invalidArgument, at: first, "is \(what), and the data file is missing",
                    remedy: "name it after the spec: metalearners \(command) \(first) DATA.csv")
            }
            spec = nil
            data = first
            return
        }
        let isSwapped =
            !Self.isSpecName(first)
            && (Self.isSpecName(second) || takesModel && Self.isModel(second) && !Self.isModel(first))
        guard !isSwapped || first == "-" else {
            throw MetaLearnersError(
                .invalidArgument, at: first,
                "stands where \(what) is expected, and '\(second)' where the data are: they are swapped",
                remedy: "write: metalearners \(command) \(second) \(first)")
        }
        guard first != "-" || second != "-" else {
            throw MetaLearnersError(
                .invalidArgument, at: "-", "only one of spec and data can be standard input")
        }
        spec = first
        data = second
    }

    /// Checks that `model` and `data` are not swapped.
    ///
    /// - Throws: `invalidArgument`.
    static func requireOrder(model: String, data: String, of command: String) throws(MetaLearnersError) {
        guard isModel(data), !isModel(model) else { return }
        throw MetaLearnersError(
            .invalidArgument, at: model,
            "stands where a model is expected, and the model '\(data)' where the data are: they are swapped",
            remedy: "write: metalearners \(command) \(data) \(model)")
    }

    /// Whether the name of a file is that of a spec.
    private static func isSpecName(_ path: String) -> Bool {
        SpecLoader.formats.contains(SpecLoader.fileExtension(path))
    }

    /// Whether a file is a model, by its first bytes. Pipes, which can be read only once, are not looked into.
    static func isModel(_ path: String) -> Bool {
        guard path != "-", ByteSource.isRegularFile(path),
            let start = try? ByteSource(path: path, kind: .invalidData).start(CATEModel.magic.count)
        else { return false }
        return start == CATEModel.magic
    }
}
