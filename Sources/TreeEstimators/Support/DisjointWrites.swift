/// An array that several threads write, each to elements of its own.
struct DisjointWrites<Element>: @unchecked Sendable {  // No two threads touch the same element.
    private let buffer: UnsafeMutableBufferPointer<Element>

    init(_ buffer: UnsafeMutableBufferPointer<Element>) { self.buffer = buffer }

    /// How many elements there are.
    var count: Int { buffer.count }

    /// Where the elements from `index` on are.
    func pointer(to index: Int) -> UnsafeMutablePointer<Element>? { buffer.baseAddress.map { $0 + index } }

    subscript(index: Int) -> Element {
        get { buffer[index] }
        nonmutating set { buffer[index] = newValue }
    }
}
