import MetaLearnersCore

/// The analyses that requests may name. A value, so that an app may add its own.
public struct AnalysisRegistry: Sendable {
    private var types: [any Analysis.Type] = []

    /// Creates a registry without analyses.
    public init() {}

    /// The registry with one more analysis; one of the same name is replaced.
    public func registering(_ type: any Analysis.Type) -> AnalysisRegistry {
        var registry = self
        if let index = types.firstIndex(where: { $0.name == type.name }) {
            registry.types[index] = type
        } else {
            registry.types.append(type)
        }
        return registry
    }

    /// The analyses, in the order they were registered.
    public var analyses: [any Analysis.Type] { types }

    /// The analyses of some kinds of question, in the order they were registered.
    public func analyses(of topics: Set<AnalysisTopic>) -> [any Analysis.Type] {
        types.filter { topics.contains($0.topic) }
    }

    /// The analysis of a name.
    ///
    /// - Throws: `invalidSpec`, with the nearest name, where there is none.
    public func analysis(named name: String, at place: SpecPath = .root) throws(MetaLearnersError)
        -> any Analysis.Type
    {
        let plain = String(name.lowercased().map { $0 == "-" ? "_" : $0 })
        if let type = types.first(where: { $0.name == plain }) { return type }
        throw place.error(
            "there is no analysis '\(name)'",
            remedy: SpellingSuggestion.clause(forName: name, in: types.map { $0.name }))
    }

    /// The analysis that a request asks for: a name, or an object whose key `analysis` is the name and whose other keys are
    /// its options.
    ///
    /// - Throws: `invalidSpec`, naming the key.
    public func analysis(_ request: SpecValue, at place: SpecPath = .root) throws(MetaLearnersError)
        -> any Analysis
    {
        if let name = request.stringValue { return try analysis(named: name, at: place).init() }
        guard var options = request.objectValue else {
            throw place.error("must be the name of an analysis or a mapping, not \(request.kindName)")
        }
        guard let name = options["analysis"]?.stringValue else {
            throw place.appending("analysis").error(
                "is missing", remedy: "name one of: " + types.map { $0.name }.joined(separator: ", "))
        }
        options["analysis"] = nil
        return try analysis(named: name, at: place.appending("analysis")).init(.object(options), at: place)
    }

    /// What there is to ask, as bindings and documentation read it.
    public var specValue: SpecValue {
        .array(
            types.map { type in
                let defaults = type.init()
                return [
                    "name": .string(type.name), "title": .string(type.title),
                    "summary": .string(type.summary), "topic": .string(type.topic.rawValue),
                    "runs_by_default": .boolean(type.runsByDefault),
                    "needs": .array(
                        StudyParts.names.filter { defaults.needs.contains($0.part) }.map { .string($0.name) }),
                    "parameters": .array(defaults.parameterDescriptions.map(\.specValue)),
                ]
            })
    }
}

extension AnalysisRegistry {
    /// Every analysis that is built in. This is the only place that names them all.
    public static let `default` = AnalysisRegistry()
        .registering(OverlapAnalysis.self)
        .registering(BalanceAnalysis.self)
        .registering(SuspiciousColumnsAnalysis.self)
        .registering(AverageEffectsAnalysis.self)
        .registering(DifferenceInMeans.self)
        .registering(OLSAnalysis.self)
        .registering(InverseProbabilityWeighting.self)
        .registering(MatchingAnalysis.self)
        .registering(AIPWAnalysis.self)
        .registering(TMLEAnalysis.self)
        .registering(EffectDistributionAnalysis.self)
        .registering(HomogeneityTestAnalysis.self)
        .registering(CalibrationTestAnalysis.self)
        .registering(GATESAnalysis.self)
        .registering(GroupEffectsAnalysis.self)
        .registering(CLANAnalysis.self)
        .registering(BestLinearProjectionAnalysis.self)
        .registering(SurrogateTreeAnalysis.self)
        .registering(ImportancesAnalysis.self)
        .registering(EffectCurvesAnalysis.self)
        .registering(EffectInteractionsAnalysis.self)
        .registering(RATEAnalysis.self)
        .registering(UpliftSlicesAnalysis.self)
        .registering(UpliftCurvesAnalysis.self)
        .registering(LossesAnalysis.self)
        .registering(NuisanceMetricsAnalysis.self)
        .registering(TruthAnalysis.self)
        .registering(CompareAnalysis.self)
        .registering(PolicyValueAnalysis.self)
        .registering(BudgetCurveAnalysis.self)
        .registering(PolicyTreeAnalysis.self)
        .registering(PlaceboTreatmentAnalysis.self)
        .registering(RandomCommonCauseAnalysis.self)
        .registering(DataSubsetAnalysis.self)
        .registering(DummyOutcomeAnalysis.self)
        .registering(NegativeControlAnalysis.self)
        .registering(UnobservedConfounderAnalysis.self)
        .registering(OmittedVariableBiasAnalysis.self)
        .registering(EValueAnalysis.self)
        .registering(RosenbaumBoundsAnalysis.self)
        .registering(MarginalSensitivityAnalysis.self)
}
