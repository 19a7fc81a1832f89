import ArgumentParser
import MetaLearners
import MetaLearnersCore
import MetaLearnersKit

/// What commands that read a spec take: options for the keys that most need, and one for any.
struct SpecOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Column that says which arm a row is in: data.treatment.", valueName: "column"))
    var treatment: String?

    @Option(help: ArgumentHelp("Column of the outcome: data.outcome.", valueName: "column"))
    var outcome: String?

    @Option(help: ArgumentHelp("Label of the control arm: data.control.", valueName: "label"))
    var control: String?

    @Option(help: ArgumentHelp("Column whose rows belong together: data.cluster.", valueName: "column"))
    var cluster: String?

    @Option(help: ArgumentHelp("Column of sample weights: data.weight.", valueName: "column"))
    var weight: String?

    @Option(
        help: ArgumentHelp(
            "Meta-learner (default: the spec's, or auto): \(LearnerKind.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "learner"))
    var learner: String?

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp(
            "Set a key of the spec; the value is YAML. May be repeated.",
            discussion: "For example --set models.effect=ridge or --set overlap.bounds=[0.05,0.95].",
            valueName: "key=value"))
    var overrides: [String] = []

    /// The options that were given, with the keys that they set.
    private var shortcuts: [(option: String, key: String, value: String)] {
        [
            ("--treatment", "data.treatment", treatment), ("--outcome", "data.outcome", outcome),
            ("--control", "data.control", control), ("--cluster", "data.cluster", cluster),
            ("--weight", "data.weight", weight), ("--learner", "learner", learner),
        ].compactMap { option, key, value in value.map { (option, key, $0) } }
    }

    /// The first option that was given, as messages name it; nil for none.
    var firstGiven: String? { shortcuts.first?.option ?? (overrides.isEmpty ? nil : "--set") }

    /// The spec in the file at `path`, or without one that of the defaults, with what the command line changes.
    ///
    /// - Throws: `invalidSpec`.
    func load(_ path: String?, seed: Int?) throws(MetaLearnersError) -> MetaLearnerSpec {
        guard let path else {
            let spec = try apply(to: .null, seed: seed)
            guard spec.data.treatment != nil, spec.data.outcome != nil else {
                let missing = spec.data.treatment == nil ? "--treatment" : "--outcome"
                throw MetaLearnersError(
                    .invalidSpec, at: missing, "is missing, and there is no spec that names the column",
                    remedy: "give --treatment COLUMN and --outcome COLUMN, or a spec before the data")
            }
            return spec
        }
        return try apply(to: SpecPlugins.resolved(SpecLoader.load(path), besides: path), seed: seed)
    }

    /// The spec that `value` is, with what the command line changes.
    ///
    /// - Throws: `invalidSpec`.
    func apply(to value: SpecValue, seed: Int?) throws(MetaLearnersError) -> MetaLearnerSpec {
        let value = try changed(value, seed: seed)
        guard value.objectValue?["tuning"] == nil else {
            throw MetaLearnersError(
                .invalidSpec, at: "tuning", "is what 'metalearners tune' searches, and no part of one fit",
                remedy:
                    "run: metalearners tune SPEC DATA -o results.csv --best-spec best.yaml, and fit best.yaml"
            )
        }
        return try MetaLearnerSpec(value, at: .root)
    }

    /// The document that `value` is, with what the command line changes.
    ///
    /// - Throws: `invalidSpec`.
    func changed(_ value: SpecValue, seed: Int?) throws(MetaLearnersError) -> SpecValue {
        var value = value
        for (_, key, text) in shortcuts { try SpecOverride(key, .string(text)).apply(to: &value) }
        for text in overrides { try SpecOverride(parsing: text).apply(to: &value) }
        if let seed { try SpecOverride("seed", .integer(seed)).apply(to: &value) }
        return value
    }
}
