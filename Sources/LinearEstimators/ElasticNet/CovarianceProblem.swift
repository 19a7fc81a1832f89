import MetaLearnersCore

/// The squared loss of some rows, divided by their total factor f², as a function of coefficients alone:
/// ½·β'Gβ − c'β, the intercept being the best for each β. G is a covariance matrix of columns, c their covariances
/// with the response.
protocol CovarianceProblem: AnyObject {
    /// The number of columns.
    var width: Int { get }
    /// c.
    var moments: [Double] { get }
    /// The diagonal of G.
    var diagonal: [Double] { get }
    /// A column of G, as long as the problem lives.
    ///
    /// - Throws: `outOfMemory`.
    func column(_ index: Int) throws(MetaLearnersError) -> UnsafePointer<Double>
    /// b, the best intercept at coefficients that are 0 outside `support`.
    func intercept(_ coefficients: [Double], support: [Int]) -> Double
    /// Whether there are rows that were left out.
    var holdsOut: Bool { get }
    /// The loss Σ (v − f·b − f·z·β)² of the rows that were left out, at coefficients that are 0 outside `support`.
    func heldOutLoss(_ coefficients: [Double], support: [Int]) -> Double
}
