import MetaLearners
import MetaLearnersCore

/// JSON as it crosses the edge.
enum SpecText {
    /// The JSON that a caller passed.
    ///
    /// - Throws: `invalidArgument` for NULL and for bytes that are not UTF-8, `invalidSpec` for what is not JSON.
    static func read(_ pointer: UnsafePointer<CChar>?) throws(MetaLearnersError) -> SpecValue {
        try SpecValue(json: CText.read(pointer, "spec").utf8, source: "spec")
    }

    /// The spec of a fit: its section `data` is the dataset's own, which it must agree with where it has one.
    ///
    /// - Throws: `invalidSpec`.
    static func read(_ pointer: UnsafePointer<CChar>?, matching data: DataSpec) throws(MetaLearnersError)
        -> MetaLearnerSpec
    {
        try spec(read(pointer), matching: data)
    }

    /// The same of JSON that was read.
    ///
    /// - Throws: `invalidSpec`.
    static func spec(_ value: SpecValue, matching data: DataSpec) throws(MetaLearnersError) -> MetaLearnerSpec
    {
        var spec = try MetaLearnerSpec(value)
        if let section = value.objectValue?["data"], section != .null, spec.data != data {
            throw MetaLearnersError(
                .invalidSpec, at: "data", "is not what the dataset was made with",
                remedy: "leave the section out here, or pass the same spec to mtlr_dataset_create")
        }
        spec.data = data
        return spec
    }

    /// A JSON list of texts.
    static func list(_ texts: [String]) -> String { SpecValue.array(texts.map { .string($0) }).json() }
}
