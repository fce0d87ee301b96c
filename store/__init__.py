"""All SQL of the engine: tables, migrations, repositories. Content lives here, timing lives in Temporal."""
