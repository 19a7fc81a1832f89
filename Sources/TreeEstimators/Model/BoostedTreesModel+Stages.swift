import MetaLearnersCore

/// Stages are rounds of boosting; stage 0 is the base score.
extension BoostedTreesModel: StagedModel {
    var stageCount: Int { ensemble.roundCount }

    /// O(rows · splits), and rows × outputs × stages numbers.
    func predictStages(
        _ features: Table, rows: [Int32]?, stages: [Int], _ context: ExecutionContext
    ) throws(MetaLearnersError) -> [[Double]] {
        try check(features, rows)
        try requireAscending(stages)
        guard !stages.isEmpty else { return [] }
        let scores = try ensemble.scores(
            features, rows: rows, afterTrees: stages.map { ensemble.treeCount(ofRounds: $0) }, context)
        let size = scores.count / stages.count
        return stages.indices.map { linked(Array(scores[$0 * size..<($0 + 1) * size])) }
    }

    func truncated(to stage: Int) throws(MetaLearnersError) -> any StagedModel {
        try requireAscending([stage])
        if stage >= ensemble.roundCount { return self }
        return BoostedTreesModel(
            ensemble: ensemble.truncated(toRounds: stage), link: link, warnings: warnings)
    }
}
