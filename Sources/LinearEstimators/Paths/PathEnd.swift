/// Where the path of a fold ends: once the loss of the rows that it holds out has risen by a tenth above its least.
///
/// What follows would cost the most, as ever more columns take part, and would not be chosen. A few penalties without any gain are no
/// reason to end: where what matters is the difference of two columns that are nearly alike, noise enters a path before it, and the loss
/// rises a little before it falls. A few rows held out say too little of when to end: their loss rises and falls by chance, and then the path is
/// cheap as it is.
struct PathEnd {
    private static let tolerated = 1.1
    private static let leastRows = 50

    /// Whether a path may end where so many rows are divided into so many folds.
    static func isWise(rows: Int, folds: Int) -> Bool { rows >= leastRows * folds }

    private var least = Double.infinity

    /// Takes the loss of the next stage; whether the path ends with it.
    mutating func ends(after loss: Double) -> Bool {
        least = min(least, loss)
        return loss > Self.tolerated * least
    }
}
