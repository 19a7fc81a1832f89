import MetaLearnersCore

/// Effects for new rows.
public struct EffectPrediction: Sendable {
    /// For each arm but the control (and within an arm for each class of an outcome of several), the effect for each
    /// row.
    public let effects: [[Double]]
    /// What the user should know of the rows, such as levels that training never saw.
    public let warnings: [String]
}

/// Rows to predict: the table that was given, and the covariates in it as the model knows them.
package struct AlignedRows {
    let table: Table
    package let features: Table
    var warnings: [String]
    /// Levels never seen in training, for each column that has any.
    package let unseen: [UnseenLevels]

    /// - Throws: `invalidData` for a column that is missing or of the wrong kind.
    package init(_ table: Table, _ schema: CovariateSchema, _ spec: DataSpec) throws(MetaLearnersError) {
        let missing = MissingValues(spec.missingValues)
        self.table = table
        (features, unseen) = try schema.aligned(missing.isEmpty ? table : table.mapping(missing.marking))
        warnings = unseen.map(\.warning)
    }
}

extension CATEModel {
    var serving: ModelServing {
        ModelServing(
            spec: spec, armLabels: armLabels, outcomeKind: outcomeKind, calibration: calibration)
    }

    /// The effects of new rows against control, by the models of `fitted`.
    package func predictEffects(
        _ rows: inout AlignedRows, _ selection: ModelSelection, _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [[Double]] {
        try predictEffects(&rows, fitted, selection, context)
    }

    func predictEffects(
        _ rows: inout AlignedRows, _ fitted: FittedEffects, _ selection: ModelSelection,
        _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [[Double]] {
        let known =
            overlap.isKnown && fitted.needsPropensities(armCount: armLabels.count)
            ? try knownPropensities(&rows) : nil
        return try serving.effects(fitted, rows.features, selection, context, propensities: known)
    }

    /// The propensities that serve new rows: the known ones of a designed experiment, else the model's, within the
    /// bounds; nil where there are none.
    func servingPropensities(_ rows: inout AlignedRows, _ context: ExecutionContext)
        throws(MetaLearnersError) -> [[Double]]?
    {
        if overlap.isKnown { return try knownPropensities(&rows) }
        let estimated = try serving.nuisances(
            [.propensity], rows.features, nuisanceModels, .combined, context)
        return try estimated.propensities.map { estimated throws(MetaLearnersError) in
            try serving.served(estimated)
        }
    }

    /// The known propensities of new rows: the table's columns where it has them, else the shares of training.
    func knownPropensities(_ rows: inout AlignedRows) throws(MetaLearnersError) -> [[Double]] {
        let count = rows.table.rowCount
        if let shares = try spec.data.shares(armCount: armLabels.count) {
            return shares.map { [Double](repeating: $0, count: count) }
        }
        let columns = spec.data.propensity.compactMap { rows.table.column(named: $0)?.values.doubles() }
        if !columns.isEmpty, columns.count == spec.data.propensity.count {
            let all =
                columns.count == 1 && armLabels.count == 2 ? [columns[0].map { 1 - $0 }] + columns : columns
            guard all.count == armLabels.count else {
                throw MetaLearnersError(
                    .invalidData, at: "propensity",
                    "there are \(columns.count) columns of propensities for \(armLabels.count) arms")
            }
            for (name, values) in zip(spec.data.propensity, columns) {
                guard let row = values.firstIndex(where: { !($0 > 0 && $0 < 1) }) else { continue }
                throw MetaLearnersError(
                    .invalidData, at: "propensity '\(name)'",
                    "\(rows.table.places.name(row)) has \(values[row]), not between 0 and 1",
                    remedy: "give probabilities, not percentages or odds")
            }
            return all
        }
        if !rows.warnings.contains(Self.knownSharesNote) { rows.warnings.append(Self.knownSharesNote) }
        return armShares.map { [Double](repeating: $0, count: count) }
    }

    // MARK: Members of combinations

    /// The effects that the model, as a member of a combination, has for the rows that the whole was asked about.
    package func effects(asMemberOf input: PredictorInput, _ context: ExecutionContext)
        throws(MetaLearnersError) -> [[Double]]
    {
        try serving.effects(
            fitted, schema.align(input.features).table, input.selection, context,
            propensities: input.knownPropensities)
    }

    /// How many models of folds can be asked one by one.
    package var foldCount: Int { fitted.foldCount(armCount: armLabels.count) }

    /// The models within, as those of a member of a combination.
    package var memberParts: [ModelPart] {
        let name = spec.learner.rawValue + ": "
        return nuisanceModels.map { ModelPart($0, name: name + $0.role.name(armLabels)) }
            + predictor.parts(armLabels).map { part in
                ModelPart(
                    name: name + part.name, backend: part.backend, foldModels: part.foldModels,
                    hasFullModel: part.hasFullModel, bytes: part.bytes, stages: part.stages)
            }
    }

    /// What the fit warned of, as that of a member of a combination.
    package var memberWarnings: [String] { warnings.map { spec.learner.rawValue + ": " + $0 } }

    /// Whether effects of new rows depend on propensities that are known by design.
    package var needsKnownPropensities: Bool {
        overlap.isKnown && fitted.needsPropensities(armCount: armLabels.count)
    }

    /// Writes the members of a combination.
    package static func encode(members: [CATEModel], to writer: inout BinaryWriter) {
        writer.write(UInt64(members.count))
        for member in members { writer.write(member.encoded()) }
    }

    /// Reads what `encode(members:to:)` wrote.
    ///
    /// - Throws: `corruptModel` for members that do not belong to the model, or combine others themselves.
    package static func members(from reader: inout BinaryReader, _ model: PredictorSurroundings)
        throws(MetaLearnersError) -> [CATEModel]
    {
        var members: [CATEModel] = []
        for _ in 0..<(try reader.readCount(elementSize: 8)) {
            let count = try reader.readCount(elementSize: 1)
            let archive = try ModelArchive(Array(try reader.readBytes(count)))
            // (Combinations within combinations could go on for ever.)
            let kind = try ModelManifest(archive.manifest).spec.learner
            let isComposite = model.registry.traits(of: kind)?.isComposite ?? true
            guard kind != model.spec.learner, !(model.isMember && isComposite) else {
                throw BinaryReader.corrupt("a combination is a member of itself")
            }
            let member = try CATEModel(archive, model.registry, isMember: true)
            guard member.armLabels.count == model.armCount, member.outcomeKind == model.outcomeKind,
                member.overlap.isKnown == model.knowsPropensities
            else { throw BinaryReader.corrupt("a member is a model of other data") }
            members.append(member)
        }
        return members
    }
}
