/// A leaf's share in its tree (or a split's in the largest gain), as the upper half of a Float: three digits in two bytes.
struct LeafCover: Sendable, Equatable {
    let bits: UInt16

    /// The number that is stored nearest to `share`, which is not negative.
    init(_ share: Double) {
        let pattern = Float(share.isFinite ? max(share, 0) : 0).bitPattern
        bits = UInt16(truncatingIfNeeded: (min(pattern, 0x7F00_0000) &+ 0x8000) >> 16)
    }

    /// The number of these bits, nil where they are of no share.
    init?(bits: UInt16) {
        guard bits < 0x7F80 else { return nil }
        self.bits = bits
    }

    var share: Double { Double(Float(bitPattern: UInt32(bits) << 16)) }
}
