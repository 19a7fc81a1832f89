import ArgumentParser
import MetaLearners

/// Which effects are asked about: of which arm, against which, on which scale.
struct ComparisonOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The arm that is asked about (default: all).", valueName: "label"))
    var arm: String?

    @Option(
        help: ArgumentHelp("The arm that effects compare with (default: the control).", valueName: "label"))
    var baseline: String?

    @Option(
        help: ArgumentHelp(
            "Effects as difference, ratio or odds_ratio (default: the spec's).", valueName: "scale"))
    var scale: EffectScale?
}

extension EffectScale: ExpressibleByArgument {
    public init?(argument: String) { self.init(spelled: argument) }
}
