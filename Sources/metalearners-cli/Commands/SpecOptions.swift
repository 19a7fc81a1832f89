import ArgumentParser
import MetaLearners
import MetaLearnersCore

/// What commands that read a spec take.
struct SpecOptions: ParsableArguments {
    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp(
            "Set a key of the spec; the value is YAML. May be repeated.",
            discussion: "For example --set models.effect=ridge or --set overlap.bounds=[0.05,0.95].",
            valueName: "key=value"))
    var overrides: [String] = []

    /// The spec in the file at `path`, with what the command line changes.
    ///
    /// - Throws: `invalidSpec`.
    func load(_ path: String, seed: Int?) throws(MetaLearnersError) -> MetaLearnerSpec {
        try apply(to: SpecPlugins.resolved(SpecLoader.load(path), besides: path), seed: seed)
    }

    /// The spec that `value` is, with what the command line changes.
    ///
    /// - Throws: `invalidSpec`.
    func apply(to value: SpecValue, seed: Int?) throws(MetaLearnersError) -> MetaLearnerSpec {
        var value = value
        for text in overrides { try SpecOverride(parsing: text).apply(to: &value) }
        if let seed { try SpecOverride("seed", .integer(seed)).apply(to: &value) }
        return try MetaLearnerSpec(value, at: .root)
    }
}
