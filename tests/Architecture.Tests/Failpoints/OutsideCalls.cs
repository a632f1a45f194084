using System.Text.RegularExpressions;

namespace Orders.Architecture.Tests.Failpoints;

/// <summary>Which calls leave the process.</summary>
internal static partial class OutsideCalls
{
    /// <summary>
    /// Whether a call talks to a database, a broker, a mail server, somebody's HTTP server or the file system.
    /// </summary>
    public static bool Is(CompiledCall call) => Call().IsMatch($"{call.Type}::{call.Method}");

    // A rollback is left out: it says only what a lost connection says by itself. Reading on in a result that has begun
    // to come is part of its call.
    [GeneratedRegex(
        """
            ^(
                (Npgsql|System\.Data\.Common)\.\w+::(Execute(Reader|NonQuery|Scalar)|Open|OpenConnection|BeginTransaction|Begin\w+(Import|Export|Copy)|Commit|Save|WaitAsync|Wait)(Async)?
              | Microsoft\.EntityFrameworkCore\.[\w.]+::(SaveChanges|Migrate|ExecuteSql\w*|ExecuteUpdate|ExecuteDelete|(ToList|ToArray|ToDictionary|First\w*|Single\w*|Any|Count|Find|Load)(?=Async))(Async)?
              | RabbitMQ\.Client\.\w+::(CreateConnection|CreateChannel|(Basic|Queue|Exchange|Tx|MessageCount|ConsumerCount)\w*)Async
              | MailKit\.[\w.]+::(Connect|Authenticate|Send|Disconnect|NoOp)(Async)?
              | System\.Net\.Http\.HttpClient::(Send|Get|Post|Put|Patch|Delete)\w*
              | System\.Net\.Http\.HttpMessageInvoker::Send(Async)?
              | System\.Net\.Http\.Json\.HttpClientJsonExtensions::\w+
              | System\.Net\.Sockets\.\w+::(Connect|Send|Receive|Accept)(Async)?
              | System\.IO\.File::(Open\w*|Read\w*|Write\w*|Append\w*|Create\w*|Copy|Move|Delete|Replace)
              | System\.IO\.FileStream::\.ctor
              | HarfBuzzSharp\.Blob::FromFile
            )$
            """,
        RegexOptions.IgnorePatternWhitespace
    )]
    private static partial Regex Call();
}
