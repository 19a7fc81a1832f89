/// How many stages the models of a cross-fitted job have, where its estimator's spec leaves that open (`trees: auto`).
///
/// The models of folds are fitted along their whole paths; the stage at which the losses of the rows that they hold out add up
/// to least, over all folds and repeats, is everyone's: that of the folds' models, which are cut there, of the model of all rows and of
/// those without pairs of folds. So no row is held out for the choice alone, and no fold chooses for itself.
package final class StageChoice: Sendable {
    /// Where the number comes from.
    package enum Source: Sendable {
        /// The rows that folds hold out say.
        case heldOutRows
        /// It is known from models fitted before.
        case known(Int)
        /// It is that of another run of the same job, which is scheduled before in the same graph.
        case same(StageChoice)
    }

    private let source: Source
    private let units: [CrossFittingUnit]
    private let paths: ResultSlots<JudgedPath>
    private let chosen = ResultSlots<Int>(count: 1)
    private let node = Lock<TaskGraph.Node?>(nil)

    /// Nil where the estimator's spec names a number, or nothing is held out.
    init?(_ fitter: CrossFitter, _ estimator: any BaseEstimator, _ source: Source) {
        guard let estimator = estimator as? any StageChoosingEstimator, estimator.choosesStages,
            fitter.folds.isCrossFitted
        else { return nil }
        self.source = source
        switch source {
        case .heldOutRows: units = fitter.units(of: .folds)
        case .known(let stage):
            units = []
            chosen[0] = stage
        case .same: units = []
        }
        paths = ResultSlots(count: units.count)
    }

    /// The number of stages; nil before the task that chooses it has run.
    package var stage: Int? {
        if case .same(let other) = source { return other.stage }
        return chosen[0]
    }

    /// The number of stages, once it is known.
    ///
    /// - Throws: `internalFault` before.
    func chosenStage() throws(MetaLearnersError) -> Int {
        if let stage { return stage }
        throw MetaLearnersError(.internalFault, "a fit began before its number of stages was chosen")
    }

    /// Whether the model of a unit is fitted here.
    func fits(_ unit: CrossFittingUnit) -> Bool { units.contains(unit) }

    /// Adds what has to be done to know the number.
    ///
    /// - Parameter keepsModels: whether somebody takes the models of the folds.
    /// - Returns: the tasks after which it is known.
    func schedule(
        _ stage: String, in graph: inout TaskGraph, after before: [TaskGraph.Node], bytes: Int,
        keepsModels: Bool,
        _ judge:
            @escaping @Sendable (CrossFittingUnit, ExecutionContext) throws(MetaLearnersError) -> JudgedPath
    ) -> [TaskGraph.Node] {
        switch source {
        case .known: return []
        case .same(let other): return [other.node.withLock { $0 }].compactMap(\.self)
        case .heldOutRows: break
        }
        let judged = units.indices.map { index in
            graph.add(stage, after: before, bytes: bytes) { [self] context throws(MetaLearnersError) in
                paths[index] = try judge(units[index], context)
            }
        }
        let choosing = graph.add(nil, after: judged) { [self] _ in
            chosen[0] = JudgedPath.bestStage(of: units.indices.map { paths[$0]?.losses ?? [] })
            if !keepsModels { forget() }
        }
        node.withLock { $0 = choosing }
        return [choosing]
    }

    /// The model of a unit at the chosen stage; its path is kept no longer. Nil where the unit held out nobody who could judge, so
    /// that it is to be fitted anew.
    func takeModel(of unit: CrossFittingUnit) throws(MetaLearnersError) -> (any FittedEstimator)? {
        guard let stage, let index = units.firstIndex(of: unit), let path = paths[index] else {
            throw MetaLearnersError(.internalFault, "a model was asked for before its stage was chosen")
        }
        paths[index] = nil
        guard !path.losses.isEmpty else { return nil }
        return try path.model.truncated(to: stage)
    }

    /// Lets go of models.
    func forget() { for index in units.indices { paths[index] = nil } }
}
