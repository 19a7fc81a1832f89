import MetaLearnersCore
import PluginEstimators

/// What specs may name: base learners (backends) and learners.
///
/// A value, so that each caller may add its own without touching anybody else's. `Registry.default` has all that is built
/// in.
public struct Registry: Sendable {
    /// A learner with its type erased.
    private struct Learner: Sendable {
        let type: any FittingStrategy.Type
        let metaLearner: (@Sendable (MetaLearnerSpec) -> any MetaLearner)?
    }

    /// The base learners.
    public private(set) var estimators: EstimatorRegistry
    private var learners: [Learner] = []

    /// Creates a registry without learners.
    public init(_ estimators: EstimatorRegistry = EstimatorRegistry()) { self.estimators = estimators }

    /// The registry with other backends, as `change` makes them of its own.
    public func changingEstimators(
        _ change: (EstimatorRegistry) throws(MetaLearnersError) -> EstimatorRegistry
    ) throws(MetaLearnersError) -> Registry {
        var registry = self
        registry.estimators = try change(estimators)
        return registry
    }

    /// The registry with one more backend; one of the same name is replaced.
    public func registering<Estimator: BaseEstimator>(_ type: Estimator.Type) -> Registry {
        var registry = self
        registry.estimators = estimators.registering(type)
        return registry
    }

    /// The registry with one more meta-learner; one of the same name is replaced.
    public func registering<Learner: MetaLearner>(_: Learner.Type) -> Registry {
        adding(PlainStrategy<Learner>.self) { spec in Learner(spec) }
    }

    /// The registry with one more learner that is a strategy of its own; one of the same name is replaced.
    public func registering<Strategy: FittingStrategy>(_ type: Strategy.Type) -> Registry {
        adding(type, nil)
    }

    private func adding(
        _ type: any FittingStrategy.Type, _ metaLearner: (@Sendable (MetaLearnerSpec) -> any MetaLearner)?
    ) -> Registry {
        var registry = self
        let learner = Learner(type: type, metaLearner: metaLearner)
        if let index = learners.firstIndex(where: { $0.type.kind == type.kind }) {
            registry.learners[index] = learner
        } else {
            registry.learners.append(learner)
        }
        return registry
    }

    /// The registry with the plug-ins at the given paths.
    ///
    /// - Throws: what `EstimatorRegistry.loadingPlugin(at:)` throws.
    public func loadingPlugins(at paths: [String]) throws(MetaLearnersError) -> Registry {
        try changingEstimators { estimators throws(MetaLearnersError) in
            try estimators.loadingPlugins(at: paths)
        }
    }

    /// The names of the learners, in the order they were registered.
    public var learnerKinds: [LearnerKind] { learners.map { $0.type.kind } }

    /// The learner of that name or alias.
    ///
    /// - Throws: `invalidSpec`, with the nearest name, where there is none.
    public func learnerKind(named name: String, at place: SpecPath) throws(MetaLearnersError) -> LearnerKind {
        // Names that differ only in case are one, unless an app has registered both.
        for name in [name, name.lowercased()] {
            let known = learners.map { $0.type }.first {
                $0.kind.rawValue == name || $0.aliases.contains(name)
            }
            if let known { return known.kind }
        }
        let names = learnerKinds.map(\.rawValue)
        throw place.error(
            "unknown learner '\(name)'",
            remedy: SpellingSuggestion.clause(
                forName: name, in: names + learners.flatMap { $0.type.aliases }))
    }

    /// What a learner says of itself; nil for a name that is none.
    public func traits(of kind: LearnerKind) -> LearnerTraits? { type(of: kind)?.traits }

    /// The names of the learners whose traits `condition` holds for, as error messages list them.
    package func learnerNames(where condition: (LearnerTraits) -> Bool) -> String {
        learners.filter { condition($0.type.traits) }.map { $0.type.kind.rawValue }.joined(separator: ", ")
    }

    private func type(of kind: LearnerKind) -> (any FittingStrategy.Type)? {
        learners.first { $0.type.kind == kind }?.type
    }

    /// The strategy that a checked spec asks for.
    ///
    /// - Throws: `invalidSpec`.
    package func strategy(of spec: MetaLearnerSpec) throws(MetaLearnersError) -> any FittingStrategy {
        let kind = try learnerKind(named: spec.learner.rawValue, at: SpecPath.root.appending("learner"))
        guard let type = type(of: kind) else {
            throw MetaLearnersError(.internalFault, at: "learner", "'\(kind.rawValue)' is not registered")
        }
        return try type.init(spec, self)
    }

    /// The meta-learner that a spec names; nil for a strategy of its own, or a learner that is not here.
    package func metaLearner(of spec: MetaLearnerSpec) -> (any MetaLearner)? {
        learners.first { $0.type.kind == spec.learner }?.metaLearner?(spec)
    }

    /// The kind of predictor that files know by `tag`, among those of a learner; nil where it has none such.
    ///
    /// - Throws: `unsupported` for a learner that is not here.
    func predictor(tagged tag: String, of kind: LearnerKind) throws(MetaLearnersError)
        -> (any EffectPredictor.Type)?
    {
        guard let type = type(of: kind) else {
            throw MetaLearnersError(
                .unsupported, at: "model",
                "it was fitted by the learner '\(kind.rawValue)', which is not registered",
                remedy: "known are " + learnerKinds.map(\.rawValue).joined(separator: ", "))
        }
        return type.predictors.first { $0.tag == tag }
    }

    /// Reads a model that a backend or a strategy fitted, by the name that stands before it in files.
    ///
    /// - Throws: `corruptModel`, `unsupported` for a name that is not here.
    func decode(_ name: String, from reader: inout BinaryReader) throws(MetaLearnersError)
        -> any FittedEstimator
    {
        for learner in learners {
            if let read = learner.type.ownModels[name] { return try read(&reader, self) }
        }
        return try estimators.decode(name, from: &reader)
    }

    /// The table of all learners in Markdown; nuisances are those that the types ask for.
    package var referenceTable: String {
        var lines = [
            "| learner | nuisances, out of fold | the effect model is fitted to | weight | effect | from |",
            "|---|---|---|---|---|---|",
        ]
        for learner in learners {
            let reference = learner.type.reference
            let name = (["`\(learner.type.kind.rawValue)`"] + learner.type.aliases.map { "alias `\($0)`" })
                .joined(separator: ", ")
            var spec = MetaLearnerSpec()
            spec.learner = learner.type.kind
            let roles =
                learner.metaLearner?(spec).nuisanceRoles(armCount: 2)
                ?? (try? learner.type.init(spec, self))?.nuisanceRoles(armCount: 2) ?? []
            let nuisances = roles.map(\.symbol).joined(separator: ", ")
            lines.append(
                "| \(name) | \(nuisances) | \(reference.target) | \(reference.weight) | \(reference.effect) | "
                    + "\(reference.citation) |")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension NuisanceRole {
    /// The letter that formulas have for it, of two arms 0 and k.
    fileprivate var symbol: String {
        switch self {
        case .propensity: "e"
        case .joint: "μ(x, w)"
        case .armOutcome(let arm): arm == 0 ? "μ_0" : "μ_k"
        case .marginalOutcome: "m"
        }
    }
}
