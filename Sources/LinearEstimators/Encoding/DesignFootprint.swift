import MetaLearnersCore

/// The memory of a design matrix and what is made of it, before any value is read.
///
/// A number counts as one column (four with a curve) and a category as one per level, as if no value were missing.
struct DesignFootprint {
    /// How many columns the design matrix has, about.
    let width: Int
    let rows: Int
    /// Numbers that are stored of the rows where features are sparse; nil where they are not.
    private let stored: Int?
    /// Whether other processes hold rows as well: then sums of products are formed of however many columns.
    private let isJoined: Bool

    init(_ features: Table, rows: Int, _ expansion: FeatureExpansion) {
        var linear = 0
        var curved = 0
        var entries = 0
        for column in features.columns {
            if let levels = column.levels {
                linear += levels.count
                entries += rows
            } else {
                linear += 1
                curved += expansion == .none ? 0 : 3
            }
            // A category stores the one indicator that each row has.
            entries += column.values.sparse?.count ?? features.rowCount
        }
        let products = expansion == .splinesInteractions ? linear * (linear - 1) / 2 : 0
        width = min(linear + curved + products, DesignEncoder.sparseWidthLimit)
        self.rows = rows
        isJoined = features.distribution != nil
        stored = SparseRows.serve(features, expansion) ? entries : nil
    }

    /// A matrix of the products of every two columns.
    private var gram: Int { 8 * (width + 2) * (width + 2) }
    /// A block of rows, and what is known of each row: its number, its place, two factors and a response, and a column
    /// while it is encoded.
    private var base: Int {
        rows * 100 + (stored.map { $0 * 24 + 8 * 8 * width } ?? 8 * (width + 2) * DesignBlocks.rowsPerBlock)
    }
    /// Of solutions that go through what is stored again and again and form no sums of products.
    private var iterations: Int { rows * 100 + (stored ?? 0) * 24 + 8 * 16 * width }
    /// All rows of the matrix.
    private var matrix: Int { 8 * rows * width }

    /// Of least squares with one penalty: of many columns kept sparse by conjugate gradients. (Where these do not get there
    /// the sums of products are formed after all, which is rare and not counted.)
    func fixedPenalty() -> Int {
        if stored != nil, width > LeastSquares.factorLimit { return iterations }
        return leastSquares(grams: 4)
    }

    /// Of least squares that form so many sums of products, or, for more columns than rows, the matrix and the products
    /// of its rows.
    func leastSquares(grams: Int) -> Int {
        if width > DesignBlocks.sparseGramLimit, stored != nil { return base }
        guard width > rows, stored == nil, !isJoined else { return base + grams * gram }
        return base + 3 * matrix + 3 * 8 * rows * rows
    }

    /// Of penalties chosen along a path over so many folds: the sums of products of each, and a problem made of them for
    /// each that is at work and for all rows.
    func penaltyPath(folds: Int) -> Int {
        if let stored, SparseDescent.serves(width: width, stored: stored) {
            return iterations + stored * 12
        }
        guard width > rows, stored == nil, !isJoined else { return base + (2 * folds + 4) * gram }
        return base + 2 * matrix
    }

    /// Of a logistic regression with so many linear functions: kept blocks of rows, probabilities, and a Hessian where
    /// there are few parameters.
    func logistic(functions: Int, folds: Int) -> Int {
        let parameters = functions * (width + 1)
        let hessian = parameters <= NewtonSolver.denseLimit ? 5 * 8 * parameters * parameters : 0
        let kept = stored == nil ? min(matrix, 8 * DesignBlocks.keptLimit) : 0
        return base + (kept + hessian + 8 * 2 * rows * functions) * (folds > 1 ? 3 : 1)
    }
}
