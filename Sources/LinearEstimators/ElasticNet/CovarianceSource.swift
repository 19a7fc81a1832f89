import MetaLearnersCore

/// Where the covariance problems of all rows, and of all but a fold, come from.
enum CovarianceSource: Sendable {
    /// The sums of products over each fold.
    case sums([GramSums], width: Int)
    /// The rows.
    case rows(RowCovariance.Rows, [Range<Int>])
    /// What is stored of the rows.
    case sparse(SparseDescent.Rows, [Range<Int>])

    /// The most columns of rows that several processes hold.
    static let collectiveLimit = 3000

    /// - Parameter denseLimit: the most columns whose sums are all formed, even where rows are fewer.
    /// - Throws: `unsupported` for more columns than `collectiveLimit` where several processes hold the rows, `outOfMemory`,
    ///   `cancelled`.
    init(
        _ problem: LeastSquares, _ folds: [Range<Int>], denseLimit: Int = 0, _ context: ExecutionContext
    ) throws(MetaLearnersError) {
        if let distribution = problem.distribution {
            let width = problem.design.width
            guard width <= Self.collectiveLimit else {
                throw MetaLearnersError(
                    .unsupported, at: "features",
                    "\(width) encoded columns are too many for a collective fit with a path of penalties, which takes \(Self.collectiveLimit)",
                    remedy: "leave products out, group the levels of large categories, or use trees")
            }
            let sums = try GramSums.of(problem, groups: folds, context)
            try GramSums.addOtherProcesses(sums, distribution)
            self = .sums(sums, width: width)
        } else if let sparse = problem.design.sparse,
            problem.design.isTooWide || SparseDescent.serves(width: sparse.width, stored: sparse.storedCount)
        {
            self = .sparse(
                SparseDescent.Rows(sparse, factors: problem.factors, responses: problem.responses), folds)
        } else if problem.design.sparse == nil,
            problem.design.width > max(problem.responses.count, denseLimit)
        {
            self = .rows(try RowCovariance.Rows(problem, context), folds)
        } else {
            self = .sums(try GramSums.of(problem, groups: folds, context), width: problem.design.width)
        }
    }

    /// The descent over all rows but a fold's.
    func descent(without fold: Int?, l1Ratio: Double, scale: Double) throws(MetaLearnersError)
        -> any PathDescent
    {
        if case .sparse(let rows, let folds) = self {
            return try SparseDescent(
                rows, heldOut: fold.map { folds[$0] } ?? 0..<0, l1Ratio: l1Ratio, scale: scale)
        }
        return CoordinateDescent(try problem(without: fold), l1Ratio: l1Ratio, scale: scale)
    }

    /// The covariances of all rows but a fold's; of sparse rows with too many columns there are none.
    func problem(without fold: Int?) throws(MetaLearnersError) -> any CovarianceProblem {
        switch self {
        case .sums(var parts, let width):
            // Sums over the other folds are added up, rather than one subtracted from the total: nothing cancels.
            let heldOut = fold.map { parts.remove(at: $0) }
            return try DenseCovariance(parts, heldOut: heldOut, width: width)
        case .rows(let rows, let folds):
            return try RowCovariance(rows, heldOut: fold.map { folds[$0] } ?? 0..<0)
        case .sparse:
            throw MetaLearnersError(
                .internalFault, at: "linear model", "sparse rows have no matrix of covariances")
        }
    }
}
