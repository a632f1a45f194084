using System.Buffers.Binary;
using System.IO.Compression;

namespace Orders.Workers.Tests.Invoice;

/// <summary>The line of an invoice's picture on which the customer's name stands, as darkness of each point.</summary>
internal sealed class Picture
{
    // At 96 dots an inch: left edge 50 pt, baseline 130 pt, size 10 pt.
    private const int Left = 60;
    private const int Right = 460;
    private const int Top = 154;
    private const int Bottom = 182;

    private readonly double[,] _ink;

    private Picture(double[,] ink) => _ink = ink;

    /// <summary>Reads a PNG as pdftoppm writes it: 8 bits each of red, green and blue, not interlaced.</summary>
    public static Picture Read(ReadOnlySpan<byte> png)
    {
        Assert.That(png[24..29].ToArray(), Is.EqualTo(new byte[] { 8, 2, 0, 0, 0 }), "kind of PNG");
        var width = BinaryPrimitives.ReadInt32BigEndian(png[16..]);
        var packed = new MemoryStream();
        for (var rest = png[8..]; rest.Length >= 12; )
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(rest);
            if (rest[4..8].SequenceEqual("IDAT"u8))
                packed.Write(rest.Slice(8, length));
            rest = rest[(length + 12)..];
        }

        packed.Position = 0;
        var rows = new byte[Bottom][];
        using var lines = new ZLibStream(packed, CompressionMode.Decompress);
        for (var y = 0; y < Bottom; y++)
        {
            var line = new byte[1 + (3 * width)];
            lines.ReadExactly(line);
            rows[y] = Unfilter(line[0], line[1..], y == 0 ? new byte[3 * width] : rows[y - 1]);
        }

        var ink = new double[Bottom - Top, Right - Left];
        for (var y = Top; y < Bottom; y++)
        {
            for (var x = Left; x < Right; x++)
                ink[y - Top, x - Left] = 765 - rows[y][3 * x] - rows[y][(3 * x) + 1] - rows[y][(3 * x) + 2];
        }

        return new Picture(ink);
    }

    /// <summary>
    /// 1 for the same picture, about 0 for one that has its ink elsewhere. A shift by a point, as between two versions
    /// of a font, takes away a few hundredths.
    /// </summary>
    public double LikenessTo(Picture other)
    {
        var (mine, theirs) = (Blurred(), other.Blurred());
        double both = 0,
            first = 0,
            second = 0;
        for (var i = 0; i < mine.Length; i++)
        {
            both += mine[i] * theirs[i];
            first += mine[i] * mine[i];
            second += theirs[i] * theirs[i];
        }

        return both / Math.Sqrt(first * second);
    }

    private double[] Blurred()
    {
        var (height, width) = (_ink.GetLength(0), _ink.GetLength(1));
        var blurred = new double[height * width];
        for (var y = 1; y < height - 1; y++)
        {
            for (var x = 1; x < width - 1; x++)
            {
                for (var at = 0; at < 9; at++)
                    blurred[(y * width) + x] += _ink[y - 1 + (at / 3), x - 1 + (at % 3)];
            }
        }

        return blurred;
    }

    // PNG specification, 9: each byte is stored as its difference from what its neighbours let expect.
    private static byte[] Unfilter(byte filter, byte[] line, byte[] above)
    {
        for (var i = 0; i < line.Length; i++)
        {
            int left = i < 3 ? 0 : line[i - 3],
                corner = i < 3 ? 0 : above[i - 3];
            line[i] += (byte)(
                filter switch
                {
                    0 => 0,
                    1 => left,
                    2 => above[i],
                    3 => (left + above[i]) / 2,
                    4 => Nearest(left, above[i], corner),
                    _ => throw new InvalidDataException($"Expected a PNG filter from 0 to 4, found {filter}."),
                }
            );
        }

        return line;
    }

    private static int Nearest(int left, int above, int corner)
    {
        var (toLeft, toAbove, toCorner) = (
            Math.Abs(above - corner),
            Math.Abs(left - corner),
            Math.Abs(left + above - (2 * corner))
        );
        return toLeft <= toAbove && toLeft <= toCorner ? left
            : toAbove <= toCorner ? above
            : corner;
    }
}
