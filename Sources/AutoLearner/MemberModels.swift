import MetaLearners
import MetaLearnersCore

/// The models of a formula in one fold, with their weights in its level and in what the propensity is multiplied by.
struct MemberModels: Sendable {
    /// A model and its weights.
    struct Term: Sendable {
        let source: MemberSum.Source
        let level: Double
        let share: Double
        let model: any FittedEstimator
    }

    let terms: [Term]

    /// The terms of `formula` whose weight is not 0, with the models of `fold`.
    init(
        _ formula: MemberFormula, _ models: [MemberSum.Source: [any FittedEstimator]], fold: Int
    ) {
        let sources = Set(formula.level.models.keys).union(formula.share?.models.keys ?? [:].keys)
        terms = sources.sorted().compactMap { source in
            let level = formula.level.models[source] ?? 0
            let share = formula.share?.models[source] ?? 0
            guard level != 0 || share != 0, let folds = models[source], folds.indices.contains(fold) else {
                return nil
            }
            return Term(source: source, level: level, share: share, model: folds[fold])
        }
    }

    /// Whether anything depends on the propensity.
    var usesShare: Bool { terms.contains { $0.share != 0 } }

    /// Adds the models' predictions, times `factor`, to both lists.
    func add(
        to level: inout [Double], _ share: inout [Double], _ features: Table, rows: [Int32]?,
        times factor: Double, _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        for term in terms {
            try context.checkCancellation()
            let values = try term.model.predict(input(of: term.source, features), rows: rows, context)
            for row in level.indices {
                level[row] += factor * term.level * values[row]
                share[row] += factor * term.share * values[row]
            }
        }
    }

    /// What a source's model looks at: the joint model's also at the treatment.
    private func input(of source: MemberSum.Source, _ features: Table) -> Table {
        source.arm.map { arm in
            features.appending(
                Column("(treatment)", StridedValues(repeating: Int32(arm), count: features.rowCount)))
        } ?? features
    }

    func encode(to writer: inout BinaryWriter) {
        writer.write(UInt64(terms.count))
        for term in terms {
            writer.write(term.source.code)
            writer.write(term.level)
            writer.write(term.share)
            term.model.encodeNamed(to: &writer)
        }
    }

    init(from reader: inout BinaryReader, _ registry: Registry) throws(MetaLearnersError) {
        var terms: [Term] = []
        for _ in 0..<(try reader.readCount(elementSize: 33)) {
            let code = try reader.read(UInt8.self)
            let level = try reader.readDouble()
            let share = try reader.readDouble()
            guard let source = MemberSum.Source(code: code), level.isFinite, share.isFinite else {
                throw BinaryReader.corrupt("a term of an ensemble makes no sense")
            }
            let model = try registry.decodeNamed(
                from: &reader, outputCount: 1, excluding: BlendedModel.backendName)
            terms.append(Term(source: source, level: level, share: share, model: model))
        }
        self.terms = terms
    }
}
