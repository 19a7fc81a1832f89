import MetaLearnersCore
import Testing

@Suite("Binary reading and writing")
struct BinaryCodingTests {
    @Test("Everything that is written reads back to the bit")
    func roundTrip() throws {
        let numbers = [0.0, -0.0, .nan, .infinity, .leastNonzeroMagnitude, -1.5]
        var writer = BinaryWriter()
        writer.write(UInt8(200))
        writer.write(Int16(-3))
        writer.write(Int32.min)
        writer.write(Int64.max)
        writer.write(UInt64.max)
        writer.write(Double.pi)
        writer.write(Float(0.1))
        writer.write(true)
        writer.write("é漢🙂")
        writer.write("")
        writer.write(numbers)
        writer.write([Float(1), -2])
        writer.write([Int8(-128), 127])
        writer.write(["a", "", "b"])
        writer.write([UInt16]())
        var reader = BinaryReader(writer.bytes[...])
        #expect(try reader.read(UInt8.self) == 200)
        #expect(try reader.read(Int16.self) == -3)
        #expect(try reader.read(Int32.self) == .min)
        #expect(try reader.read(Int64.self) == .max)
        #expect(try reader.read(UInt64.self) == .max)
        #expect(try reader.readDouble() == .pi)
        #expect(try reader.readFloat() == 0.1)
        #expect(try reader.readBool())
        #expect(try reader.readString() == "é漢🙂")
        #expect(try reader.readString() == "")
        #expect(try reader.readDoubles().map(\.bitPattern) == numbers.map(\.bitPattern))
        #expect(try reader.readFloats() == [1, -2])
        #expect(try reader.readArray(Int8.self) == [-128, 127])
        #expect(try reader.readStrings() == ["a", "", "b"])
        #expect(try reader.readArray(UInt16.self) == [])
        #expect(reader.remaining == 0)
    }

    @Test("Numbers are little-endian")
    func byteOrder() {
        var writer = BinaryWriter()
        writer.write(UInt32(0x0102_0304))
        #expect(writer.bytes == [4, 3, 2, 1])
    }

    @Test("A slice that does not begin at 0 reads like any other")
    func slices() throws {
        var reader = BinaryReader(([9, 9, 7, 0, 0, 0] as [UInt8])[2...])
        #expect(try reader.read(UInt32.self) == 7)
        #expect(reader.remaining == 0)
    }

    @Test(
        "Counts that lie are refused before anything is allocated",
        arguments: [
            UInt64.max, UInt64(Int64.max), 1 << 62, 1 << 61, 1 << 40, 9,
        ])
    func hostileCounts(count: UInt64) {
        var writer = BinaryWriter()
        writer.write(count)
        for byte in 0..<UInt8(8) { writer.write(byte) }
        func kind(_ read: (inout BinaryReader) throws -> Void) -> MetaLearnersError.Kind? {
            var reader = BinaryReader(writer.bytes[...])
            do {
                try read(&reader)
                return nil
            } catch {
                return (error as? MetaLearnersError)?.kind
            }
        }
        #expect(kind { _ = try $0.readDoubles() } == .corruptModel)
        #expect(kind { _ = try $0.readFloats() } == .corruptModel)
        #expect(kind { _ = try $0.readStrings() } == .corruptModel)
        #expect(kind { _ = try $0.readString() } == .corruptModel)
        #expect(kind { _ = try $0.readArray(UInt8.self) } == .corruptModel)
        #expect(kind { _ = try $0.readCount(elementSize: 0) } == .corruptModel)
    }

    @Test("Bytes that end too soon are refused at every length")
    func truncation() {
        var writer = BinaryWriter()
        writer.write([1.5, 2.5])
        writer.write(["ab", "c"])
        for length in 0..<writer.bytes.count {
            var reader = BinaryReader(writer.bytes[..<length])
            #expect(throws: MetaLearnersError.self) {
                _ = try reader.readDoubles()
                _ = try reader.readStrings()
            }
        }
    }

    @Test("Flags other than 0 and 1, text that is not UTF-8 and negative lengths are refused")
    func nonsense() {
        var flag = BinaryReader(([2] as [UInt8])[...])
        #expect(throws: MetaLearnersError.self) { try flag.readBool() }
        var text = BinaryReader(([1, 0, 0, 0, 0, 0, 0, 0, 0xFF] as [UInt8])[...])
        #expect(throws: MetaLearnersError.self) { try text.readString() }
        var raw = BinaryReader(([1, 2] as [UInt8])[...])
        #expect(throws: MetaLearnersError.self) { try raw.readBytes(-1) }
        #expect(throws: MetaLearnersError.self) { try raw.readBytes(3) }
    }
}
