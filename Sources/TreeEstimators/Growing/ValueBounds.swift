/// What the value of a leaf may be, so that predictions rise or fall with a column as they must.
///
/// A split by such a column parts the values of both sides at the mean of what they would be; whatever is split later
/// on either side keeps to that (Chen & Guestrin's XGBoost and LightGBM, "basic", do the same).
struct ValueBounds: Sendable, Equatable {
    var low = -Double.infinity
    var high = Double.infinity

    /// The bound nearest to `value`, or the value itself.
    @inline(__always)
    func clamped(_ value: Double) -> Double { min(max(value, low), high) }

    /// The bounds of both sides of a split by a column along which values must move in `direction`.
    func parted(left: Double, right: Double, direction: Int8) -> (left: ValueBounds, right: ValueBounds) {
        guard direction != 0 else { return (self, self) }
        let middle = (left + right) / 2
        var lower = self
        var upper = self
        lower.high = middle
        upper.low = middle
        return direction > 0 ? (lower, upper) : (upper, lower)
    }
}
