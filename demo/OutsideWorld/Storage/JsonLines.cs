using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orders.OutsideWorld.Storage;

/// <summary>
/// A ledger on disk: one JSON document a line, appended before the client is answered and read back at the next start.
/// Written through to the operating system, not to the platter: it survives kill -9 of this process, not a power cut.
/// The caller serializes calls.
/// </summary>
internal sealed class JsonLines<T> : IDisposable
{
    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private readonly FileStream file;

    private JsonLines(FileStream file) => this.file = file;

    /// <summary>Opens or creates a ledger file and reads back what it holds.</summary>
    /// <exception cref="IOException">The file is in use, cannot be reached, or holds a line that is no
    /// entry.</exception>
    public static JsonLines<T>? Open(string? directory, string name, ILogger logger, Action<T> readBack)
    {
        if (string.IsNullOrWhiteSpace(directory))
            return null;
        var path = Path.Combine(directory, name);
        var lines = new JsonLines<T>(OpenFile(directory, path));
        try
        {
            lines.DropUnfinishedLine(logger);
            var count = lines.ReadBack(readBack);
            logger.LedgerReadBack(path, count);
            return lines;
        }
        catch
        {
            lines.Dispose();
            throw;
        }
    }

    /// <summary>Appends an entry.</summary>
    /// <exception cref="IOException">It could not be written; the file is as before.</exception>
    public void Append(T entry)
    {
        var line = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(line))
            JsonSerializer.Serialize(writer, entry, Format);
        line.Write("\n"u8);

        var before = file.Length;
        try
        {
            file.Write(line.WrittenSpan);
        }
        catch (IOException)
        {
            // Half a line in the middle would make every later entry unreadable.
            file.SetLength(before);
            file.Position = before;
            throw;
        }
    }

    /// <summary>Empties the ledger.</summary>
    public void Clear()
    {
        file.SetLength(0);
        file.Position = 0;
    }

    public void Dispose() => file.Dispose();

    private static FileStream OpenFile(string directory, string path)
    {
        try
        {
            Directory.CreateDirectory(directory);
            // FileShare.None, as anything less is no lock between writers on Linux; tail and grep read the file all the
            // same.
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new IOException(
                $"OutsideWorld:DataDirectory must be a directory this process alone can write, got '{directory}': {problem.Message} "
                    + "Set OutsideWorld__DataDirectory.",
                problem
            );
        }
    }

    private void DropUnfinishedLine(ILogger logger)
    {
        var length = file.Length;
        var end = length;
        var last = new byte[1];
        while (end > 0)
        {
            file.Position = end - 1;
            file.ReadExactly(last);
            if (last[0] == '\n')
                break;
            end--;
        }

        if (end == length)
            return;
        logger.UnfinishedLineDropped(file.Name, length - end);
        file.SetLength(end);
    }

    private int ReadBack(Action<T> readBack)
    {
        file.Position = 0;
        var count = 0;
        using (var reader = new StreamReader(file, Encoding.UTF8, false, 64 * 1024, leaveOpen: true))
        {
            while (reader.ReadLine() is { } line)
            {
                count++;
                readBack(Parse(line, count));
            }
        }

        file.Position = file.Length;
        return count;
    }

    private T Parse(string line, int number)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(line, Format) ?? throw new JsonException("null");
        }
        catch (JsonException problem)
        {
            throw new IOException(
                $"{file.Name}:{number}: expected one ledger entry in JSON, found something else ({problem.Message}). "
                    + "Repair the line, or move the file away to start afresh.",
                problem
            );
        }
    }
}
