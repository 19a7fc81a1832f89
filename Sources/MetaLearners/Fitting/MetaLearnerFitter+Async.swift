import MetaLearnersCore

extension MetaLearnerFitter {
    /// Fits the learner to `dataset` on threads of the library's own, so that those of Swift's tasks stay free; the
    /// result is that of the function that waits. Where the task is cancelled, the fit stops and throws `cancelled`.
    ///
    /// - Parameters and errors: as `fit(_:folds:nuisances:_:)`.
    public func fit(
        _ dataset: CausalDataset, folds: FoldAssignment? = nil, nuisances reused: NuisanceFit? = nil,
        _ options: ExecutionOptions = ExecutionOptions()
    ) async throws(MetaLearnersError) -> CATEModel {
        let token = CancellationToken(parent: options.cancellation)
        var options = options
        options.cancellation = token
        let chosen = options
        let result: Result<CATEModel, MetaLearnersError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                Workers.detach {
                    continuation.resume(
                        returning: Result { () throws(MetaLearnersError) in
                            try fit(dataset, folds: folds, nuisances: reused, chosen)
                        })
                }
            }
        } onCancel: {
            token.cancel()
        }
        return try result.get()
    }
}
