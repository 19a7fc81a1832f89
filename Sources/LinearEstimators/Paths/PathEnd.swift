/// Where the path of a fold ends: once the loss of the rows that it holds out has risen by a tenth above its least.
///
/// What follows would cost the most, as ever more columns take part, and would not be chosen. A few penalties without any gain are no
/// reason to end: where what matters is the difference of two columns that are nearly alike, noise enters a path before it, and the loss
/// rises a little before it falls.
struct PathEnd {
    private static let tolerated = 1.1

    private var least = Double.infinity

    /// Takes the loss of the next stage; whether the path ends with it.
    mutating func ends(after loss: Double) -> Bool {
        least = min(least, loss)
        return loss > Self.tolerated * least
    }
}
