import MetaLearnersCore

/// How much the models of one part, such as the outcome of an arm, make of each covariate.
public struct PartImportances: Sendable, Equatable {
    /// The part, such as "effect of arm 'b'".
    public let name: String
    /// The backend that fitted its models.
    public let backend: String
    /// For each measure a number for each covariate, in the order of `CATEModel.schema`: the mean over the models of the folds where
    /// there is no model of all rows.
    public let values: [ImportanceKind: [Double]]
}

/// Models within a predictor, of which some may say how much they make of each column.
public struct ImportanceSource: Sendable {
    /// The part that they are of.
    public let name: String
    /// The position of each of their columns among the covariates; nil for all of them in their order. Columns behind, such as the
    /// treatment, count for nothing.
    public let positions: [Int]?
    /// The models, which count alike.
    public let models: [any FittedEstimator]

    /// Names models of a part.
    public init(name: String, positions: [Int]?, models: [any FittedEstimator]) {
        self.name = name
        self.positions = positions
        self.models = models
    }
}

extension CATEModel {
    /// How much the models that effects are made of make of each covariate: gain, cover and number of splits of models of trees.
    /// Models that are none have no part in it.
    ///
    /// - Throws: `invalidData` for a spec whose columns are not those of the model.
    /// - Complexity: O(size of the models).
    public func splitImportances() throws(MetaLearnersError) -> [PartImportances] {
        let count = schema.fields.count
        return try importanceSources().compactMap { source in
            let models = source.models.compactMap { $0 as? any ExplainableEstimator }
            guard let first = models.first else { return nil }
            var values: [ImportanceKind: [Double]] = [:]
            for kind in ImportanceKind.allCases {
                var sums = [Double](repeating: 0, count: count)
                for model in models {
                    for (column, value) in model.importances(kind).enumerated() {
                        let place =
                            source.positions.map { $0.indices.contains(column) ? $0[column] : count }
                            ?? column
                        if place < count { sums[place] += value / Double(models.count) }
                    }
                }
                values[kind] = sums
            }
            return PartImportances(name: source.name, backend: first.backendName, values: values)
        }
    }

    /// The models that effects are made of, by part.
    package func importanceSources() throws(MetaLearnersError) -> [ImportanceSource] {
        let roles = predictor.nuisanceRoles(armCount: armLabels.count)
        var sources: [ImportanceSource] = []
        for fitted in nuisanceModels where roles.contains(fitted.role) {
            sources.append(
                ImportanceSource(
                    name: fitted.role.name(armLabels),
                    positions: try schema.positions(spec.models.model(of: fitted.role, armLabels)),
                    models: fitted.models.serving))
        }
        return sources + (try predictor.importanceSources(schema, spec, armLabels))
    }
}

extension EffectPredictor {
    /// None: a predictor whose models are hidden.
    public func importanceSources(_ schema: CovariateSchema, _ spec: MetaLearnerSpec, _ labels: [String])
        throws(MetaLearnersError) -> [ImportanceSource]
    { [] }
}

extension LearnerPredictor {
    func importanceSources(_ schema: CovariateSchema, _ spec: MetaLearnerSpec, _ labels: [String])
        throws(MetaLearnersError) -> [ImportanceSource]
    {
        try effectModels.map { fitted throws(MetaLearnersError) in
            ImportanceSource(
                name: fitted.role.name(labels),
                positions: try schema.positions(spec.models.model(of: fitted.role, labels)),
                models: fitted.models.serving)
        }
    }
}

extension EnsemblePredictor {
    func importanceSources(_ schema: CovariateSchema, _ spec: MetaLearnerSpec, _ labels: [String])
        throws(MetaLearnersError) -> [ImportanceSource]
    {
        var sources: [ImportanceSource] = []
        for member in members { sources += try member.importanceSources(asMemberOf: schema) }
        return sources
    }
}

extension CATEModel {
    /// The models of a member of a combination, on the columns of the whole.
    package func importanceSources(asMemberOf whole: CovariateSchema) throws(MetaLearnersError)
        -> [ImportanceSource]
    {
        let places = schema.fields.map { field in
            whole.fields.firstIndex { $0.name == field.name } ?? whole.fields.count
        }
        return try importanceSources().map { source in
            ImportanceSource(
                name: spec.learner.rawValue + ": " + source.name,
                positions: (source.positions ?? Array(places.indices)).map {
                    places.indices.contains($0) ? places[$0] : whole.fields.count
                },
                models: source.models)
        }
    }
}

extension CrossFittedModels {
    /// The models that answer for new rows.
    fileprivate var serving: [any FittedEstimator] { fullModel.map { [$0] } ?? foldModels }
}

extension CovariateSchema {
    /// The positions of the columns that a model sees; nil for all.
    fileprivate func positions(_ placed: ModelsSpec.Placed) throws(MetaLearnersError) -> [Int]? {
        try placed.model.columns(of: try emptyTable(), at: placed.place)
    }
}
