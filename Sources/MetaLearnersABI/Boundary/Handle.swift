import MetaLearnersCore
import Synchronization

/// An object that C holds by an opaque pointer.
protocol HandledObject: AnyObject, Sendable {
    /// Tells handles of this type from others; no two types share one.
    static var tag: UInt64 { get }
    /// The C type's name.
    static var typeName: String { get }
}

/// The opaque pointers that C holds: numbers of places in a table, and never addresses.
///
/// A handle says which place of the table it means and how often that place had been given away before. So whatever a caller
/// passes — an object that was freed, one of another type, an address, a random number — is looked up and not followed, and
/// is an error for certain, however often its place was used again.
enum Handle {
    /// A place of the table. `key` is the handle that is valid now, 0 while there is none; the rest is written before it.
    private struct Place: ~Copyable {
        let key = Atomic<UInt>(0)
        var tag: UInt64 = 0
        var object: UnsafeRawPointer?
        /// How often the place was given away.
        var uses: UInt = 0
    }

    /// What is needed to give places away.
    private struct State: Sendable {
        /// Places that were given back.
        var free: [Int] = []
        /// Places that were never given away begin here.
        var next = 0
    }

    /// A handle is a mark, the number of uses and the number of the place. The mark is a bit that no address of a user's
    /// process has set alone, so that a program that follows a handle by mistake stops there and then.
    ///
    /// The lowest bits are 0, so that a handle that something was added to is none either.
    private static let lowBits = UInt(4)
    private static let placeBits = UInt(UInt.bitWidth / 2)
    private static let mark = UInt(1) << UInt(UInt.bitWidth - 2)
    private static let useLimit = UInt(1) << (UInt(UInt.bitWidth) - 2 - placeBits)

    /// Places come in blocks that are never moved nor returned, as a lookup holds no lock.
    private static let blockSize = 4096
    private static let blockLimit = min(1 << 14, (1 << Int(placeBits - lowBits)) / blockSize)
    // The pointer never changes, and what it points to is atomic.
    nonisolated(unsafe) private static let blocks:
        UnsafeMutablePointer<Atomic<UnsafeMutablePointer<Place>?>> = {
            let blocks = UnsafeMutablePointer<Atomic<UnsafeMutablePointer<Place>?>>.allocate(
                capacity: blockLimit)
            for index in 0..<blockLimit { (blocks + index).initialize(to: Atomic(nil)) }
            return blocks
        }()

    /// A child whose parent was giving places away at the moment of the fork begins with blocks of its own.
    private static let state = Lock(State()) {
        var state = State()
        while state.next < blockLimit * blockSize, block(of: state.next) != nil { state.next += blockSize }
        return state
    }

    /// A handle that keeps `object` alive until it is freed; nil where there is no memory.
    static func make<Object: HandledObject>(_ object: Object) -> OpaquePointer? {
        let kept = UInt(bitPattern: Unmanaged.passRetained(object).toOpaque())
        let key: UInt? = state.withLock { state in
            guard let index = takePlace(&state), let place = place(index) else { return nil }
            place.pointee.uses += 1
            place.pointee.tag = Object.tag
            place.pointee.object = UnsafeRawPointer(bitPattern: kept)
            let key = mark | place.pointee.uses << placeBits | UInt(index) << lowBits
            place.pointee.key.store(key, ordering: .releasing)
            return key
        }
        guard let key else {
            Unmanaged.passUnretained(object).release()
            return nil
        }
        return OpaquePointer(bitPattern: key)
    }

    /// The object behind a handle; nil where it is NULL, freed, or of another type.
    static func object<Object: HandledObject>(_: Object.Type, _ handle: OpaquePointer?) -> Object? {
        guard let place = live(handle), place.pointee.tag == Object.tag, let object = place.pointee.object
        else { return nil }
        return Unmanaged<Object>.fromOpaque(object).takeUnretainedValue()
    }

    /// The object behind a handle.
    ///
    /// - Throws: `invalidArgument` where the handle is NULL, of another type, or freed.
    static func required<Object: HandledObject>(
        _ type: Object.Type, _ handle: OpaquePointer?, _ argument: String
    )
        throws(MetaLearnersError) -> Object
    {
        guard handle != nil else { throw Boundary.missing(argument) }
        guard let object = object(type, handle) else {
            throw MetaLearnersError(
                .invalidArgument, at: argument, "is not a live \(Object.typeName)",
                remedy: "it was freed, or is a pointer of another type")
        }
        return object
    }

    /// Lets go of the object; ignores NULL, handles of another type and those that were freed.
    static func free<Object: HandledObject>(_: Object.Type, _ handle: OpaquePointer?) {
        guard let place = live(handle), place.pointee.tag == Object.tag else { return }
        let key = UInt(bitPattern: handle)
        let object = place.pointee.object
        // Of two threads that free the same handle, one does.
        guard
            place.pointee.key.compareExchange(expected: key, desired: 0, ordering: .acquiringAndReleasing)
                .exchanged
        else { return }
        // A place whose uses have run out is not given away again, so that no handle ever comes twice.
        if place.pointee.uses + 1 < useLimit {
            let index = index(of: key)
            state.withLock { $0.free.append(index) }
        }
        if let object { Unmanaged<Object>.fromOpaque(object).release() }
    }

    /// The place that a handle means, where the handle is valid.
    private static func live(_ handle: OpaquePointer?) -> UnsafeMutablePointer<Place>? {
        let key = UInt(bitPattern: handle)
        guard key & mark != 0, let place = place(index(of: key)),
            place.pointee.key.load(ordering: .acquiring) == key
        else { return nil }
        return place
    }

    private static func index(of key: UInt) -> Int { Int((key & ((1 << placeBits) - 1)) >> lowBits) }

    private static func block(of index: Int) -> UnsafeMutablePointer<Place>? {
        let number = index / blockSize
        return number < blockLimit ? blocks[number].load(ordering: .acquiring) : nil
    }

    private static func place(_ index: Int) -> UnsafeMutablePointer<Place>? {
        block(of: index).map { $0 + index % blockSize }
    }

    /// A place that is free now; nil where there is no memory for more.
    private static func takePlace(_ state: inout State) -> Int? {
        if let index = state.free.popLast() { return index }
        let index = state.next
        guard index < blockLimit * blockSize else { return nil }
        if block(of: index) == nil {
            let block = UnsafeMutablePointer<Place>.allocate(capacity: blockSize)
            for position in 0..<blockSize { (block + position).initialize(to: Place()) }
            blocks[index / blockSize].store(block, ordering: .releasing)
        }
        state.next += 1
        return index
    }
}
