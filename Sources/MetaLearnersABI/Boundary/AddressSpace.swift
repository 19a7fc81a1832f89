/// The addresses that a program may have: what lies beyond is a mistake of the caller.
enum AddressSpace {
    /// No system gives programs addresses of more than 56 bits (those of 64-bit processors).
    static let end = UInt(1) << min(56, UInt(UInt.bitWidth) - 1)

    /// Whether two addresses can be so many bytes apart.
    static func holds(_ distance: Int) -> Bool { distance.magnitude < end }
}
